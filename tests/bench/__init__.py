"""Speed against peers on generated captures: ``make bench``."""
