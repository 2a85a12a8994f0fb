"""What happens by the clock.

- ``cron``      a cron expression, and when it is due next
- ``turns``     who among all replicas runs what is due
- ``schedule``  purges by the clock
"""
