"""The bill of materials: what edtwin runs on, as CycloneDX 1.6 (JSON). `make sbom` writes it into dist/.

Packages, versions and hashes are the lock's, licences the installed packages' own. Nothing is fetched, and the same
commit gives the same bytes: the time in it is SOURCE_DATE_EPOCH, and it has no serial number.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tests.assurance.epoch import source_date_epoch
from tests.assurance.licences import DOCUMENT, told
from tests.assurance.locks import PROJECT, ROOT, Pin, runtime_pins

DECLARED = LicenseAcknowledgement.DECLARED


def bill(pins: tuple[Pin, ...], licences: Mapping[str, str], *, version: str, epoch: int) -> str:
    """The bill of edtwin at `version`, made at `epoch` (seconds since 1970, UTC)."""
    house = Component(
        name=PROJECT,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=PROJECT,
        licenses=[LicenseFactory().make_from_string("Apache-2.0", license_acknowledgement=DECLARED)],
    )
    made = Bom(metadata=BomMetaData(component=house, timestamp=datetime.fromtimestamp(epoch, UTC)))
    parts = [(pin, _component(pin, licences.get(pin.name))) for pin in pins]
    made.components.update(part for _, part in parts)
    for asker, whole in [(PROJECT, house), *((pin.name, part) for pin, part in parts)]:
        made.register_dependency(whole, [part for pin, part in parts if asker in pin.wanted_by])
    made.serial_number = None  # type: ignore[assignment]  # a bill made twice is the same bill
    return JsonV1Dot6(made).output_as_string(indent=2) + "\n"


def project_version() -> str:
    """The version in pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def write_bill(folder: Path) -> Path:
    """The bill of this checkout, in a folder; raises ValueError where the commit has no time."""
    version = project_version()
    licences = told(DOCUMENT.read_text(encoding="utf-8"))
    text = bill(runtime_pins(), licences, version=version, epoch=source_date_epoch())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{PROJECT}-{version}.cdx.json"
    path.write_text(text, encoding="utf-8")
    return path


def _component(pin: Pin, licence: str | None) -> Component:
    where = PackageURL("pypi", name=pin.name, version=pin.version)
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=content) for content in pin.hashes]
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{pin.name}=={pin.version}",
        purl=where,
        licenses=[LicenseFactory().make_from_string(licence, license_acknowledgement=DECLARED)] if licence else [],
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(where.to_string()), hashes=hashes)
        ],
        properties=[Property(name="edtwin:installed-where", value=pin.marker)] if pin.marker else [],
    )


def main() -> int:
    """Write the bill into the folder that is named (by default dist/)."""
    try:
        path = write_bill(Path(sys.argv[1] if len(sys.argv) > 1 else "dist"))
    except ValueError as error:
        print(f"sbom: {error}", file=sys.stderr)
        return 2
    print(f"{path}: {len(runtime_pins())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
