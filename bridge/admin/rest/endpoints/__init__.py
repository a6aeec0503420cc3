"""What programs can ask and do: a file for each kind of thing, and its endpoints in a row at its end."""
