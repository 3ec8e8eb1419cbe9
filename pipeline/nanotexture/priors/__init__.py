"""Learned priors: networks, their training, their weights, and when not to trust them."""
