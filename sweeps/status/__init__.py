"""What a results folder says of its study: its sweep, who runs it, and where it stands."""
