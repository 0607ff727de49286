"""What figures would give away: k-anonymity, suppression, differencing, written consents."""
