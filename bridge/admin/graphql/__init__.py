"""GraphQL: what OrbVPN's clients ask for, at /graphql. It is imported by the first request, the library too."""
