"""What happens, as it happens: to pages that live, and to programs that listen."""
