"""What is done to a container after the approval, and how it is put back when a step fails."""
