"""What every request passes through: who asks, is the form ours, how often, what is said."""
