"""Components, their services and endpoints, and the resources they account for."""
