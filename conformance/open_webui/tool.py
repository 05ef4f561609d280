"""A tool in the form that Open WebUI takes: the test uploads this file."""


class Tools:
    def get_weather(self, city: str) -> str:
        """
        Get the current weather in a city.
        :param city: Name of the city.
        """
        return {"Paris": "sunny, 21 degrees"}.get(city, f"no weather station in {city}")
