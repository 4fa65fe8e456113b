"""SQL of networks, subnets, ports and addresses."""
