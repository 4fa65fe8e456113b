"""Images: views over objects, with states and properties of their own."""
