"""What pyproject.toml cannot say: the packages, and the plugin directory."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(
            include=["snfd*", "api*", "vnc*", "storage*", "pocket*", "snf*"]
        ),
        "twisted.plugins",
    ],
    package_data={"snfd.db.migrations": ["*.sql"], "api.ui": ["static/**/*"]},
)
