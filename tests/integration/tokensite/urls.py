"""Authors and books as JSON, for whom has a token; and where tokens come from."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from library.models import Author, Book
from rest_framework.routers import DefaultRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ReadOnlyModelViewSet
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

router = DefaultRouter()


def offer(shown: Any, name: str) -> None:
    """A list of `shown`'s objects, and each of them."""

    class Serializer(ModelSerializer):
        class Meta:
            model = shown
            fields = "__all__"

    class ViewSet(ReadOnlyModelViewSet):
        queryset = shown.objects.order_by("id")
        serializer_class = Serializer

    router.register(name, ViewSet)


offer(Author, "authors")
offer(Book, "books")

urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/", include(router.urls)),
]
