"""Trains and scores the vision demo models."""
