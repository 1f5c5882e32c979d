"""Writes the JSON Schema that the package carries: ``python -m analyzer.report.publish``."""

import json
from pathlib import Path

from analyzer.report.json_report import json_schema

PUBLISHED = Path(__file__).with_name("hoptrace-1.schema.json")

if __name__ == "__main__":
    PUBLISHED.write_text(json.dumps(json_schema(), indent=2) + "\n")
