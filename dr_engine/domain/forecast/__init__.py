"""Forecasts of an area's demand, supply and sun, and the paid windows that follow. Pure: numbers in, numbers out."""
