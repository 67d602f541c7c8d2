"""Files that pystamps reads and writes."""
