"""Answers in lines of JSON, each as soon as it is known."""
