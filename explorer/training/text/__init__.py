"""Recurrent or feed-forward for text: five models, three questions on real sentences, words out of order."""
