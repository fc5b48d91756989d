"""What the reservation service is measured at."""
