"""What is said about pictures: questions and answers for the vision models, by manner.

The pictures themselves come from `mlx_magic.demo.pictures`; this package knows no model.
"""
