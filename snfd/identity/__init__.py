"""Who is calling: users, tokens, projects as identity shows them."""
