"""Files that enter: read, judged, and copied whole or not at all."""
