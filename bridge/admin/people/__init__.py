"""Customers and resellers as an operator deals with them: what is known of them, and what they are told at a word."""
