# Filled in by the fuzz flavour.
