"""Second factors: the devices, the checking of what they say, and what holds off those who guess."""
