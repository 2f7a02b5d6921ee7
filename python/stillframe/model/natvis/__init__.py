"""Visualizers: natvis files tell how objects of the program's classes are shown, in one line and opened.

`visualizers.Visualizers` is the way in. Source of the format: Microsoft, "Create custom views of C++ objects in the
debugger using the Natvis framework", and natvis.xsd, which Visual Studio brings along.
"""
