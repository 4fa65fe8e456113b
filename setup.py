"""What pyproject.toml cannot say: the packages, the plugins, the web pages."""

from pathlib import Path
from shutil import copytree, rmtree

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

PAGES = Path(__file__).parent / "web" / "dist"


class BuildWithPages(build_py):
    """Takes the web pages along where they were built."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "api" / "ui" / "dist"
        rmtree(target, ignore_errors=True)
        if PAGES.is_dir():
            copytree(PAGES, target)
        else:
            self.warn("web/dist is missing, so no pages go along; see make web")


setup(
    packages=[
        *find_packages(
            include=["snfd*", "api*", "vnc*", "storage*", "pocket*", "snf*"]
        ),
        "twisted.plugins",
    ],
    package_data={
        "api.ui": ["*.css"],
        "snfd.db.migrations": ["*.sql"],
        "snfd.mail": ["templates/*.txt"],
    },
    cmdclass={"build_py": BuildWithPages},
)
