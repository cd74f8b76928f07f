#!/usr/bin/env python3
"""Writes what a binary of ostfs is made of, as CycloneDX 1.5 in JSON (a bill of materials, SBOM): each crate that is linked
into it, or was run to compile it, with its version, licence and checksum, and which needs which.

    sbom.py TARGET > ostfs.cdx.json

Out of Cargo.lock and `cargo metadata`, so that it needs nothing to be built. It has no time and no serial number: the same
source gives the same bytes. (cargo-cyclonedx, which this stands in for, names paths of the machine.)
"""

import json
import subprocess
import sys
import tomllib


def cargo(*arguments):
    """What a command of Cargo prints."""
    return subprocess.run(["cargo", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def built(target):
    """Name and version of each crate that a build for `target` compiles. Not out of `cargo metadata`, which adds what only
    the tests ask for."""
    command = ["tree", "--locked", "--edges=normal,build", "--prefix=none", "--format={p}", "--target", target]
    return {tuple(line.split()[:2]) for line in cargo(*command).splitlines()}


def name_of(package):
    """The package URL: what others call this crate (github.com/package-url)."""
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums, kind="library"):
    """One entry of the list."""
    url = name_of(package)
    entry = {"type": kind, "bom-ref": url, "name": package["name"], "version": package["version"], "purl": url}
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["license"]:
        # Old crates write "MIT/Apache-2.0" where SPDX has OR.
        entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    return entry


def main():
    [target] = sys.argv[1:]
    with open("Cargo.lock", "rb") as file:
        locked = tomllib.load(file)["package"]
    checksums = {(crate["name"], crate["version"]): crate.get("checksum") for crate in locked}
    told = json.loads(cargo("metadata", "--locked", "--format-version=1", "--filter-platform", target))
    names = built(target)
    packages = {
        package["id"]: package for package in told["packages"] if (package["name"], "v" + package["version"]) in names
    }
    root = told["resolve"]["root"]
    parts = sorted((package for crate, package in packages.items() if crate != root), key=name_of)
    needs = {
        name_of(packages[node["id"]]): sorted(
            name_of(packages[other["pkg"]])
            for other in node["deps"]
            if other["pkg"] in packages and any(kind["kind"] != "dev" for kind in other["dep_kinds"])
        )
        for node in told["resolve"]["nodes"]
        if node["id"] in packages
    }
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": component(packages[root], checksums, "application"),
            "properties": [{"name": "cargo:target", "value": target}],
        },
        "components": [component(package, checksums) for package in parts],
        "dependencies": [{"ref": name, "dependsOn": others} for name, others in sorted(needs.items())],
    }
    json.dump(document, sys.stdout, indent=1)
    print()


main()
