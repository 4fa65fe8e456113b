"""``snfctl`` itself: its verbs as tables, and what makes commands of them."""
