"""An S3 server on loopback, and a bucket."""

from pathlib import Path

import boto3

BUCKET = "s3://captures"


class Store:
    """A bucket."""

    def __init__(self, server: str) -> None:
        self.client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
        self.client.create_bucket(Bucket="captures")

    def put(self, path: Path, key: str) -> str:
        """Copy a file, or all that is in a folder; return its URL."""
        for file in [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file()):
            name = key if path.is_file() else f"{key}/{file.relative_to(path).as_posix()}"
            self.client.put_object(Bucket="captures", Key=name, Body=file.read_bytes())
        return f"{BUCKET}/{key}"
