"""Their change lists, fifty rows a page."""

from __future__ import annotations

from django.contrib import admin

from library.models import Author, Book


@admin.register(Author, Book)
class Listed(admin.ModelAdmin):
    list_per_page = 50
