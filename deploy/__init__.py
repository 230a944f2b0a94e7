"""How is Dockwarden run: in production, and whole on one machine?"""
