"""Listing, plans, copy, move, rename, trash, verify and manifests, undo: every change of the file system.

Each operation is a plan (values, printable, comparable), then a job that executes the plan and journals every
step. `operations.FileOperations` is the door; nothing here knows a screen.
"""
