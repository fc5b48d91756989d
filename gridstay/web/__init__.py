"""Pages for guests and staff, rendered here: HTML that works without a script, and a little script that makes it quick."""
