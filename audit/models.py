"""The trail: one event for every change and every refusal, chained by hashes, one chain an account."""

from typing import ClassVar

from django.db import models

INSTALLATION = "installation"


class ChainHead(models.Model):
    """The last link of a chain. It is the row that is locked while a link is added, never the account's row."""

    chain = models.CharField(primary_key=True, max_length=12)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return f"{self.chain} at {self.sequence}"


class Event(models.Model):
    """One thing that happened or was refused. Rows are only ever added."""

    chain = models.CharField(max_length=12)  # an account id, or the installation's chain
    sequence = models.BigIntegerField()
    event_id = models.UUIDField(unique=True)
    event_time = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=128)  # iam:CreateUser
    resource = models.TextField()  # the ARN it was decided on
    result = models.CharField(max_length=64)  # Success, or the fault's code
    message = models.TextField(default="")
    parameters = models.JSONField(default=dict)  # as asked for, without secrets
    response = models.JSONField(default=dict)  # as answered by a change, without secrets: the ids of what was made
    # Of a refusal: which policy and statement denied, or what was missing (permissions.engine.Decision.told).
    decision = models.JSONField(default=dict)
    actor_arn = models.TextField(default="")
    actor_id = models.CharField(max_length=32, default="")
    access_key_id = models.CharField(max_length=128, default="")
    door = models.CharField(max_length=16)  # console, api, shell
    source_ip = models.CharField(max_length=45, default="")
    user_agent = models.CharField(max_length=300, default="")
    request_id = models.CharField(max_length=36, default="")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["chain", "sequence"], name="event_link_once")]
        indexes: ClassVar = [
            models.Index(fields=["request_id"], name="event_request_id"),
            models.Index(fields=["actor_id", "action", "sequence"], name="event_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.action} {self.result}"
