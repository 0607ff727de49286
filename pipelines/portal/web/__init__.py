"""What pages and API share of HTTP: who asks, forms, a rendered page, what is said of a fault."""
