"""memora publishes a curriculum kept in Frappe Desk as static JSON on a CDN."""

__version__ = "0.2.0"
