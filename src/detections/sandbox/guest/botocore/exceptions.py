class BotoCoreError(Exception):
    pass


class ClientError(Exception):
    def __init__(self, error_response=None, operation_name="") -> None:
        self.response = error_response or {}
        self.operation_name = operation_name
        super().__init__(operation_name)


class NoCredentialsError(BotoCoreError):
    pass
