"""The trail: one event for every change and every refusal, chained by hashes, one chain an account."""

from typing import ClassVar

from django.db import models

INSTALLATION = "installation"
# Columns that the trail is filtered by, each with an index in the order of the listings.
LOOKED_UP = (
    "action",
    "result",
    "refused",
    "source_ip",
    "access_key_id",
    "event_source",
    "read_only",
    "actor_name",
    "actor_id",
)


class ChainHead(models.Model):
    """The last link of a chain. It is the row that is locked while a link is added, never the account's row."""

    chain = models.CharField(primary_key=True, max_length=12)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")
    # Events up to the anchor are pruned; its hash is what the first one that is left follows.
    anchor_sequence = models.BigIntegerField(default=0)
    anchor_hash = models.CharField(max_length=64, default="")
    # How far `manage.py verify_audit` found the chain whole, and when.
    verified_sequence = models.BigIntegerField(default=0)
    verified_date = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.chain} at {self.sequence}"


class Event(models.Model):
    """One thing that happened or was refused. Rows are only ever added."""

    chain = models.CharField(max_length=12)  # an account id, or the installation's chain
    sequence = models.BigIntegerField()
    event_id = models.UUIDField(unique=True)
    event_time = models.DateTimeField()
    action = models.CharField(max_length=128)  # iam:CreateUser
    resource = models.TextField()  # the ARN it was decided on
    result = models.CharField(max_length=64)  # Success, or the fault's code
    message = models.TextField(default="")
    parameters = models.JSONField(default=dict)  # as asked for, without secrets
    response = models.JSONField(default=dict)  # as answered by a change, without secrets: the ids of what was made
    # Of a refusal: which policy and statement denied, or what was missing (permissions.engine.Decision.told).
    decision = models.JSONField(default=dict)
    # What it was about beside ``resource``, as AWS's type and a name (its ARN, id and name): [["AWS::IAM::User", "dave"], …]
    resources = models.JSONField(default=list)
    # Of each thing that an operation changed, the fields that did: [{"arn": …, "before": {…}, "after": {…}}, …]
    changes = models.JSONField(default=list)
    read_only = models.BooleanField(default=False)  # a refused request that would have changed nothing
    actor_arn = models.TextField(default="")
    actor_id = models.CharField(max_length=32, default="")
    access_key_id = models.CharField(max_length=128, default="")
    door = models.CharField(max_length=16)  # console, api, shell
    source_ip = models.CharField(max_length=45, default="")
    user_agent = models.CharField(max_length=300, default="")
    request_id = models.CharField(max_length=36, default="")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    # Derived from the columns above (audit.record.derived), for the indexes.
    event_source = models.CharField(max_length=64, default="")  # iam.amazonaws.com
    actor_name = models.CharField(max_length=128, default="")  # the user's name, root, operator
    refused = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["chain", "sequence"], name="event_link_once")]
        indexes: ClassVar = [
            models.Index(fields=["request_id"], name="event_request_id"),
            models.Index(fields=["actor_id", "action", "sequence"], name="event_by_actor"),
            models.Index(fields=["chain", "event_time", "sequence"], name="event_by_time"),
            *(
                models.Index(fields=["chain", column, "event_time", "sequence"], name=f"event_by_{column}")
                for column in LOOKED_UP
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.action} {self.result}"


class EventKey(models.Model):
    """By what an event is found beside its columns: the types, ARNs, ids and names of what it was about, as digests.

    Unlike the names, digests are all of one length.
    """

    event = models.ForeignKey(Event, on_delete=models.DO_NOTHING, related_name="keys")
    chain = models.CharField(max_length=12)
    key = models.CharField(max_length=32)
    event_time = models.DateTimeField()
    sequence = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chain", "key", "event_time", "sequence"], name="event_key_once")
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.key}"
