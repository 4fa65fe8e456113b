"""Letters: written in the transaction that they tell of, sent by and by."""
