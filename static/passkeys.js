// Passkeys and security keys: what the server asks goes to the browser, and the browser's answer goes back in the form.
"use strict";
{
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const PARTS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const TROUBLE = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "registered" };

  const ask = async (form) => {
    const token = form.elements.csrfmiddlewaretoken.value;
    const body = new URLSearchParams({ csrfmiddlewaretoken: token, go: "passkey" });
    const answer = await fetch(form.action, { method: "POST", body });
    return answer.json();
  };

  const prepared = (options) => {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of [options.excludeCredentials, options.allowCredentials])
      for (const each of list ?? []) each.id = bytes(each.id);
    return options;
  };

  const written = (credential) => {
    const response = {};
    for (const part of PARTS) if (credential.response[part]) response[part] = text(credential.response[part]);
    const { id, type } = credential;
    const clientExtensionResults = credential.getClientExtensionResults();
    return JSON.stringify({ id, rawId: text(credential.rawId), type, response, clientExtensionResults });
  };

  for (const each of document.querySelectorAll("[data-without-script]")) each.hidden = true;
  for (const box of document.querySelectorAll("[data-passkey]")) {
    const form = box.closest("form");
    const button = box.querySelector("button");
    const tell = (what) => {
      for (const each of box.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== what;
    };
    if (!window.PublicKeyCredential) {
      tell("unsupported");
      continue;
    }
    button.hidden = false;
    button.addEventListener("click", async () => {
      tell("waiting");
      button.disabled = true;
      try {
        const { options } = box.dataset;
        const publicKey = prepared(options ? JSON.parse(options) : await ask(form));
        form.elements.credential.value = written(await navigator.credentials[box.dataset.passkey]({ publicKey }));
        form.submit();
      } catch (error) {
        tell(TROUBLE[error.name] ?? "failed");
        button.disabled = false;
      }
    });
  }
}
