"""The queue of work that people set going: extracts, deliveries; its worker and its supervisor."""
