"""The part of the `policyuniverse` interface that detections use: AWS policies, who they admit, and what actions do.

Written for this engine. The table of actions is made from a package when the bundle is built.
"""
