"""The auditor: attacks a release from its published tables alone and names what they give back.

It shares no code with the rules that hide values, so that a mistake there is not repeated here.
"""
