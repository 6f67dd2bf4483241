"""Who may do what on the pages and the API of a house, how people sign in, and what refuses them."""
