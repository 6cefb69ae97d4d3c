"""Users' tags: keys without case, reserved and repeated ones, fifty and no more."""

from typing import Any

from tests.faults import fault_of, invalid


def test_tag_keys_ignore_case_and_keep_the_last_spelling(iam: Any) -> None:
    iam.create_user(UserName="dave", Tags=[{"Key": "Team", "Value": "blue"}, {"Key": "cost", "Value": "1"}])
    iam.tag_user(UserName="dave", Tags=[{"Key": "team", "Value": "red"}])
    assert iam.list_user_tags(UserName="dave")["Tags"] == [
        {"Key": "cost", "Value": "1"},
        {"Key": "team", "Value": "red"},
    ]
    iam.untag_user(UserName="dave", TagKeys=["TEAM", "unknown"])
    assert iam.list_user_tags(UserName="dave")["Tags"] == [{"Key": "cost", "Value": "1"}]


def test_reserved_and_repeated_tag_keys_are_refused(iam: Any) -> None:
    iam.create_user(UserName="dave")
    reserved = ("InvalidInput", 400, "Tag keys beginning with aws: are reserved for system use.")
    repeated = ("InvalidInput", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    for key in ("aws:a", "AWS:a", "aWs:"):
        assert fault_of(iam.tag_user, UserName="dave", Tags=[{"Key": key, "Value": ""}]) == reserved
        assert fault_of(iam.create_user, UserName="erin", Tags=[{"Key": key, "Value": ""}]) == reserved
    twice = [{"Key": "Team", "Value": "a"}, {"Key": "team", "Value": "a"}]
    assert fault_of(iam.tag_user, UserName="dave", Tags=twice) == repeated
    assert fault_of(iam.create_user, UserName="erin", Tags=twice) == repeated
    iam.tag_user(UserName="dave", Tags=[{"Key": "aws", "Value": "aws:value"}])
    assert fault_of(iam.get_user, UserName="erin")[0] == "NoSuchEntity"


def test_a_user_has_50_tags_and_not_51(iam: Any) -> None:
    fifty = [{"Key": f"k{number:02}", "Value": "v"} for number in range(50)]
    iam.create_user(UserName="dave", Tags=fifty)
    assert fault_of(iam.create_user, UserName="erin", Tags=[*fifty, {"Key": "k50", "Value": ""}]) == invalid(
        ("tags", "Member must have length less than or equal to 50")
    )
    over = ("LimitExceeded", 409, "The number of tags has reached the maximum limit.")
    assert fault_of(iam.tag_user, UserName="dave", Tags=[{"Key": "k50", "Value": ""}]) == over
    iam.tag_user(UserName="dave", Tags=[{"Key": "K49", "Value": "replaced"}])
    assert len(iam.list_user_tags(UserName="dave")["Tags"]) == 50


def test_no_tags_are_too_few_to_tag_and_enough_to_untag(iam: Any) -> None:
    iam.create_user(UserName="dave")
    assert fault_of(iam.tag_user, UserName="dave", Tags=[])[:2] == ("InvalidInput", 400)
    iam.untag_user(UserName="dave", TagKeys=[])


def test_the_longest_tags_of_any_script_can_be_paged_through(iam: Any) -> None:
    letters = ["é", "語", "\U00020000", "ß"]
    tags = [{"Key": letter * 127 + end, "Value": letter * 256} for letter in letters for end in "ab"]
    iam.create_user(UserName="dave", Tags=tags)
    pages = list(iam.get_paginator("list_user_tags").paginate(UserName="dave", PaginationConfig={"PageSize": 1}))
    assert [page["Tags"][0] for page in pages] == sorted(tags, key=lambda tag: tag["Key"])
