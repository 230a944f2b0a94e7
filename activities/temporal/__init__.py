"""What Temporal's own record is asked for, and the schedule by which that is done."""
