"""The AWS door: one view, SigV4, the Query wire, AWS's service models as data."""
