"""What the policy book of a control worker says, and whether the others have the same one."""
