"""SQL of object storage; the only code that writes schema ``store``'s names."""
